"""What several measures of contagion share: leverage, failures, supply chains."""
