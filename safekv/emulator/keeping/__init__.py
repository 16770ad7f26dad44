"""What outlives an emulator: all of its contents as JSON-able data, and the file that keeps them between runs."""
