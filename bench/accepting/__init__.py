"""The parts of `bench/accept.py`: what is measured, the floor beside it, and the load on both."""
