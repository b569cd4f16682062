"""An Android phone for the tests: adb's transport protocol on a loopback port, a folder for a file system."""
