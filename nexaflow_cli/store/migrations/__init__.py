"""Numbered SQL files; each is applied once, in one transaction with the number it leaves."""
