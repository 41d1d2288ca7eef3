"""Every write that means something to the business: check, change, record, in one transaction."""
