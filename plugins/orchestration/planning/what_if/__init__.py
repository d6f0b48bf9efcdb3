"""What another configuration would decide: over a simulated season, and at the ticks on record. Pure."""
