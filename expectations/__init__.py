"""The contracts: what rows and tables must look like, with the reason beside each limit."""
