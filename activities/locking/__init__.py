"""Opening a locked period for a while, closing a year. What a lock is stands in `activities.locks`."""
