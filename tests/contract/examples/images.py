import io

BAD = b"\x89PNG but no picture"


def good() -> dict[str, bytes]:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (700, 220), "white")
    draw = ImageDraw.Draw(image)
    for line, text in enumerate(("LOAN NOTICE", "Lender: Larch Hill Bank plc", "Borrower: Oakmere Turbines Inc.")):
        draw.text((20, 20 + 60 * line), text, fill="black", font_size=30)
    content = io.BytesIO()
    image.save(content, "PNG")
    register = b"file,document,page,published,subject_id\nnotice.png,notice-1,1,2023-04-05T09:00:00Z,cik:990011\n"
    return {"notice.png": content.getvalue(), "pages.csv": register}
