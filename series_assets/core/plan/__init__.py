"""Plans each period: its dates, seeds, rows and both specifications."""
