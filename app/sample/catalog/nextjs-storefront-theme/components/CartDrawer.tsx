"use client";

import { useRef, type ReactNode } from "react";

export function CartDrawer({ count, children }: { count: number; children: ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button type="button" aria-haspopup="dialog" onClick={() => dialog.current?.showModal()}>
        Cart ({count})
      </button>
      <dialog ref={dialog} className="drawer" aria-label="Your cart">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
        {children}
      </dialog>
    </>
  );
}
