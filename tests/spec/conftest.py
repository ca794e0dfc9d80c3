"""Time limits of single examples say more about the machine than about the code."""

from hypothesis import settings

settings.register_profile("spec", deadline=None)
settings.load_profile("spec")
