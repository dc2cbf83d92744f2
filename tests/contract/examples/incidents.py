import json

BAD = b""


def good() -> dict[str, bytes]:
    events = "event_id,event_type,latitude,longitude,radius_km,start,end\nf1,flood,51.5,-0.1,50,2024-01-02,2024-01-05\n"
    assets = "entity,site,latitude,longitude\ncik:990011,mill,51.6,-0.2\ncik:990012,,40,-74\n"
    shape = {"type": "Polygon", "coordinates": [[[-1, 51], [1, 51], [1, 52], [-1, 52], [-1, 51]]]}
    told = {"event_type": "outage", "start": "2024-02-01T06:00:00Z"}
    features = [{"type": "Feature", "id": "o1", "geometry": shape, "properties": told}]
    return {
        "events.csv": events.encode(),
        "assets.csv": assets.encode(),
        "outages.geojson": json.dumps({"type": "FeatureCollection", "features": features}).encode(),
    }
