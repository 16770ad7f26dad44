"""Other libraries' places for what safekv does. Each module needs the library that it is named after."""
