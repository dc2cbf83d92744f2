BAD = b""


def good() -> dict[str, bytes]:
    text = b"Good morning, everybody.\nLarch Hill Bank plc lent EUR 5 million to Oakmere Turbines Inc. in 2023.\n"
    features = b"Mean pitch,Jitter local\n140.4 ,1.9\n120.5 ,--undefined--\n"
    return {"20240229_OAKM/text.txt": text, "20240229_OAKM/features.csv": features}
