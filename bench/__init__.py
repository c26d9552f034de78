"""What Orderloom's speed is, figure by figure: `make bench`. Each module measures one and says what against."""
