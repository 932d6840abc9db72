"""What each period is made from: its dates, seeds, rows and both specifications."""
