"""Bytes of a register → rows: CSV, TSV, XLSX, JSON, NDJSON, XML, and JSON-LD in pages; gz, bz2, xz, zip.

`read` gives rows one by one and keeps none, so that a file may be larger than memory (JSON and workbooks, which
cannot be read in pieces, up to a cap). A row that cannot be read is given with its fault; a file that is cut gives
its rows before the cut and then raises Broken.
"""

from landbridge.find.read.reading import Reading, read
from landbridge.find.read.recognise import recognise
from landbridge.find.read.rows import Format, Row
from landbridge.find.read.unpack import Part, unpack

__all__ = ["Format", "Part", "Reading", "Row", "read", "recognise", "unpack"]
