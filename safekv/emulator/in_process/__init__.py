"""azure-core transports to an emulator in the same process: no socket, and time as the emulator has it."""
