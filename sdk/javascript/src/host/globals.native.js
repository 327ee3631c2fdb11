// Outside a sandbox all of it is there, and the console stays what it is.
