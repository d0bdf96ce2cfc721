"""What a seller uses: price, booking, the visit, the money, the receipt."""
