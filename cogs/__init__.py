"""What people see on Discord: commands, buttons, modals, and messages as pure functions of data."""
