"""Programs run as children that never outlive us: started in order, restarted, stopped in order."""
