"""What follows from decisions: calls, the plan of a day, make-up runs. Pure.

``what_if`` answers what another configuration would decide. ``other_system`` reads what another system did.
"""
