"""Load on a server: many raw connections from one process, and databases that are filled beforehand."""
