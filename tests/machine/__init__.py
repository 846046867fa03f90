"""Random histories of several users and devices over a simulated network, held against the rules said once more."""
