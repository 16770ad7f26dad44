"""What ``safekv top`` looks at, counts and shows."""
