"""Single calls: what one call costs beside the line of Python it replaces. No socket, no process beside this one."""
