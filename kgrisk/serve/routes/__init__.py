"""One kind of question per file: each has a `router` whose routes name the permission they need."""
