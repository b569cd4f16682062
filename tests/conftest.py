import signal

# A shell without job control has its background commands ignore Ctrl-C, and what they start inherits that. Some tests
# send it to what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
