"""Page images and PDF: words in boxes, kinds of page, fields, shapes, and what they claim."""
