"""What ``safekv doctor`` looks at, in the order of Microsoft's troubleshooting guides."""
