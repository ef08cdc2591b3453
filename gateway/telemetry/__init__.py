"""What can be known of a running service from outside: log, events for a SOC, meters, traces. No name, address or subject is in any."""
