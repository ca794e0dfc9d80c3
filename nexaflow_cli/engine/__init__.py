"""Decides what happens next in a run: facts in, facts and commands out. No IO, clock or chance.

Read in this order: `facts` (what can have happened), `plan` (the compiled workflow), `state`
(what is known of one run), `transitions` (which fact may follow which status), `fold` (facts to
state), `decide` (state to new facts and commands), `report` (what an attempt's end means).
"""
