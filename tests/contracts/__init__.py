"""One contract, every shape: what any ByteBuf promises, whichever class it is and however its bytes lie."""
