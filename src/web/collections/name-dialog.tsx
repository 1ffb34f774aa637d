import { Dialog } from "../components/dialog.tsx";
import { EditForm } from "../components/edit-form.tsx";

interface NameDialogProps {
  readonly heading: string;
  readonly name?: string;
  readonly description?: string;
  /** Rejects with what is wrong. */
  onSave(name: string, description: string): Promise<void>;
  onClose(): void;
}

/** Asks for the name and description of a collection. */
export function NameDialog({ heading, name = "", description = "", onSave, onClose }: NameDialogProps) {
  const save = async (text: (field: string) => string) => {
    await onSave(text("name"), text("description"));
    onClose();
  };
  return (
    <Dialog heading={heading} onClose={onClose}>
      <EditForm label={heading} name={name} description={description} onSave={save} onCancel={onClose} />
    </Dialog>
  );
}
