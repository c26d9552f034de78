"""What every service needs and none should write twice. Not one word of the domain."""
