from tests.market_prices import days, ohlcv, walk

BAD = b""


def good() -> dict[str, bytes]:
    return {f"{name}.csv": ohlcv(days(85), walk(85, seed)) for seed, name in enumerate(("LARC", "OAKM"), 2)}
