"""Worker processes: killed, stopped, cut off."""
