"""Occupations: what work people name, in any language, as codes that all registers share (ISCO-08 and ESCO)."""
