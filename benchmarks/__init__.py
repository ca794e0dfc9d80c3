"""Measurements of NexaFlow beside its peers and the limits of the machine.

This package imports nothing at its top: peers run parts of it in their own virtual environment.
"""
