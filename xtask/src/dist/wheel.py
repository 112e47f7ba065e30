"""Packs a wheel that holds one program: wheel.py PROGRAM VERSION PLATFORM README LICENCE... FOLDER"""

import base64
import hashlib
import os
import sys
import zipfile

program, version, platform, readme, *licences, folder = sys.argv[1:]
name = f"lockkeeper-{version}"
info = f"{name}.dist-info"
text = lambda path: open(path, encoding="utf-8").read()

metadata = f"""Metadata-Version: 2.4
Name: lockkeeper
Version: {version}
Summary: Takes a database from one schema to the next without stopping the traffic
License-Expression: MIT OR Apache-2.0
{"".join(f"License-File: {os.path.basename(it)}{chr(10)}" for it in licences)}Requires-Python: >=3.8
Description-Content-Type: text/markdown

{text(readme)}"""
wheel = f"Wheel-Version: 1.0\nGenerator: lockkeeper xtask\nRoot-Is-Purelib: false\nTag: py3-none-{platform}\n"
files = {
    f"{name}.data/scripts/{os.path.basename(program)}": (open(program, "rb").read(), 0o755),
    f"{info}/METADATA": (metadata.encode(), 0o644),
    f"{info}/WHEEL": (wheel.encode(), 0o644),
}
for path in licences:
    files[f"{info}/licenses/{os.path.basename(path)}"] = (text(path).encode(), 0o644)
digest = lambda it: base64.urlsafe_b64encode(hashlib.sha256(it).digest()).rstrip(b"=").decode()
record = "".join(f"{path},sha256={digest(it)},{len(it)}\n" for path, (it, _) in files.items())
files[f"{info}/RECORD"] = (f"{record}{info}/RECORD,,\n".encode(), 0o644)

with zipfile.ZipFile(os.path.join(folder, f"{name}-py3-none-{platform}.whl"), "w", zipfile.ZIP_DEFLATED) as archive:
    for path, (content, mode) in files.items():
        # The earliest time that the format knows: the same sources give the same wheel.
        entry = zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0))
        entry.external_attr = (0o100000 | mode) << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, content)
