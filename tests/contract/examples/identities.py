BAD = b""


def good() -> dict[str, bytes]:
    rows = (
        "account_id,kind,value,first_seen,last_seen",
        "1001,device,D-77,2024-01-02,2024-03-01",
        "1002,device,d-77,2024-02-02,",
        "1002,email,Ana@Example.org,2024-02-02,",
    )
    return {"logins.csv": "\n".join([*rows, ""]).encode()}
