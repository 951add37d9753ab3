"""What Patchbell costs, always beside something to compare it with, measured in one run."""
