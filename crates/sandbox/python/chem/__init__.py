"""Helpers for chemistry problems (contract capa.md 10.2)."""
