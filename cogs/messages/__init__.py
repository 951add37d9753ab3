"""What people read: messages as pure functions of data, one module for each kind. Nothing here knows a service."""
