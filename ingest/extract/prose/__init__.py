"""Running text becomes claims, English and Chinese: `prose` is the one path every source of text takes."""
