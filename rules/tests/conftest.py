from hypothesis import HealthCheck, settings

# A shared machine is slow at times; that says nothing about the rules.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
