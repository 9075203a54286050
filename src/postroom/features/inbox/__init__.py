"""What officers see as it happens: streams to their pages, and pushes to browsers with no page open."""
