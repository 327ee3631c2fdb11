// Outside a sandbox the console stays what it is.
