import sys, uvicorn
from kgrisk.api import open as o
from kgrisk.serve.app import build
g=o(sys.argv[1])
uvicorn.run(build(g),host="127.0.0.1",port=8123,log_level="warning")
