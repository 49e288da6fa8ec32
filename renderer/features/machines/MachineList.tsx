// The four machines: power, the units that matter, and what one can do with the case's buttons.

import type { MouseEvent, ReactElement } from 'react';
import type { MachineView } from '#shared/views/views.ts';
import { useTranslate, type Translate } from '../../i18n/language.ts';
import { host } from '../../lab.ts';
import { useTable } from '../../store/lab-store.ts';
import { IconButton } from '../../ui/IconButton.tsx';
import { openMenu, openMenuBelow, type MenuItem } from '../../ui/Menu.tsx';
import { attempt, note } from '../../ui/toast.tsx';
import { openTab } from '../terminals/tabs.ts';

export function MachineList(): ReactElement {
  const translate = useTranslate();
  const machines = useTable('machine');
  return (
    <section className="panel" aria-labelledby="machines-title">
      <header className="panel-title">
        <h2 id="machines-title">{translate('machines.title')}</h2>
      </header>
      <ul className="machines">
        {[...machines.values()].map((machine) => (
          <MachineRow key={machine.name} machine={machine} />
        ))}
      </ul>
    </section>
  );
}

function MachineRow({ machine }: { readonly machine: MachineView }): ReactElement {
  const translate = useTranslate();
  const { name, power, address } = machine;
  const items = menuOf(machine, translate);
  const onContextMenu = (event: MouseEvent): void => {
    event.preventDefault();
    openMenu(event, name, items);
  };

  return (
    <li className="machine" data-machine={name} data-power={power} onContextMenu={onContextMenu}>
      <div className="machine-head">
        <span className={`dot is-${power}`} aria-hidden="true" />
        <span className="machine-name">{name}</span>
        <span className="machine-buttons">
          <IconButton icon="terminal" label={`${name}: ${translate('machines.terminal')}`} onClick={() => openTab({ machine: name })} />
          {power === 'off' ? (
            <IconButton icon="play" label={`${name}: ${translate('machines.start')}`} onClick={() => attempt(host.call('powerOn', name))} />
          ) : (
            <IconButton
              icon="power"
              label={`${name}: ${translate('machines.shutdown')}`}
              disabled={power !== 'on'}
              onClick={() => attempt(host.call('powerOff', name, 'acpi'))}
            />
          )}
          <IconButton
            icon="reset"
            label={`${name}: ${translate('machines.reset')}`}
            disabled={power === 'off'}
            onClick={() => attempt(host.call('reset', name))}
          />
          <IconButton
            icon="more"
            label={translate('machines.more', { name })}
            aria-haspopup="menu"
            onClick={(event) => openMenuBelow(event.currentTarget, name, items)}
          />
        </span>
      </div>
      <div className="machine-facts">
        <span>{translate(`machines.${power}`)}</span>
        <span>{address}</span>
      </div>
      {power === 'off' ? null : (
        <ul className="units">
          {machine.services.map((unit) => (
            <li key={unit.name} className="unit" data-state={unit.state} title={`${unit.name}: ${unit.state}`}>
              <span className={`dot is-unit-${unit.state}`} aria-hidden="true" />
              {unit.name}
              <span className="hidden-text">{unit.state}</span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function menuOf({ name, power, address }: MachineView, translate: Translate): MenuItem[] {
  return [
    { label: translate('machines.terminal'), choose: () => openTab({ machine: name }) },
    { label: translate('machines.console'), choose: () => openTab({ machine: name, console: true }) },
    {
      label: translate('machines.start'),
      isDisabled: power !== 'off',
      startsGroup: true,
      choose: () => attempt(host.call('powerOn', name)),
    },
    { label: translate('machines.shutdown'), isDisabled: power !== 'on', choose: () => attempt(host.call('powerOff', name, 'acpi')) },
    { label: translate('machines.reset'), isDisabled: power === 'off', choose: () => attempt(host.call('reset', name)) },
    {
      label: translate('machines.hard'),
      isDisabled: power === 'off',
      isDangerous: true,
      choose: () => attempt(host.call('powerOff', name, 'hard')),
    },
    {
      label: `${translate('machines.copyAddress')} (${address})`,
      startsGroup: true,
      choose: () => attempt(navigator.clipboard.writeText(address).then(() => note(translate('doors.copied')))),
    },
  ];
}
