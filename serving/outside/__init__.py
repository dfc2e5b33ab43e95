"""What stands outside of the process and may fall silent: nobody waits long for it, nor many."""
