"""Choose, clean and arrange the real conversations that the demo shows; run by make_demo_excerpt.py."""
