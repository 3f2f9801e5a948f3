import signal

from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=50)  # a busy machine is no failure
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("quick")

# a shell lets what it starts in the background ignore Ctrl-C, and all its children inherit that
signal.signal(signal.SIGINT, signal.default_int_handler)
